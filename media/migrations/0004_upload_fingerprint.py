from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("media", "0003_channel_clocks_and_excerpts"),
    ]

    operations = [
        migrations.AddField(
            model_name="upload",
            name="fingerprint",
            field=models.CharField(blank=True, max_length=64),
        ),
    ]
